"""The program with one more channel and one more kind of answer, each written where its table says."""
