"""Orders of the regulator (整改通知) at the site: what is due when, what was answered, with what proof."""
