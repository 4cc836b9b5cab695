"""Work permits and weather warnings at the site: what is allowed now, what is coming, what has been checked after."""
