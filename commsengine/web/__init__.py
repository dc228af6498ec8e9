"""The pages people answer on. A GET changes nothing; every form works without cookie and script."""
