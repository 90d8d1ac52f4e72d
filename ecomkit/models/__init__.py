"""What is fitted: data frames in, fitted models and data frames out."""
