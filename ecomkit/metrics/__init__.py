"""One function per question: tables in, a table out, never run here."""
