"""Who may do what where: accounts, grants, delegation on leave, logins. Every deed is in the chain `account:<user>`."""
