"""Pages of draws, calendar, risk scores and safety logs."""
