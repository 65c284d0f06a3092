"""One file per Lambda function: an event in, one use case, an answer out."""
