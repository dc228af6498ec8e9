"""The rules that ``check`` holds a plan against, one file a subject."""
