"""What is to leave: claims, marks and receipts."""
