"""The colours that all pictures share."""

# Okabe and Ito's colours: told apart with any colour vision.
BLUE, ORANGE, GREEN, RED, SKY, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7"
GREY, DARK_GREY, INK = "#A6A6A6", "#5A5A5A", "#262626"
PALETTE = (BLUE, ORANGE, GREEN, RED, SKY, PURPLE)
