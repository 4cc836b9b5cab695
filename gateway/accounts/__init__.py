"""Who may do what on one box: people, their sessions, wall screens, and the sealed trail of every change to them."""
