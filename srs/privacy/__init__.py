"""What the law asks of a company that records: purpose, notice, sealing, the rights of those who were recorded."""
