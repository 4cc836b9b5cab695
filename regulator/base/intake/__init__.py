"""The contract's regulator end: what boxes send is checked, kept once, answered with signed receipts, and watched."""
