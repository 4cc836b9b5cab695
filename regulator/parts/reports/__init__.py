"""Statistics of section C, and the monthly, half-year and yearly reports that freeze them."""
