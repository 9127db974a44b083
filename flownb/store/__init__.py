"""The journal and everything durable: one contract, kept by every store; artifacts."""
