"""Accounts, grants, delegation on leave and logins. Every act is recorded in the chain `account:<user>`."""
