"""Rule packs that a regulator offers: kept, checked, taken into force or refused; the judging never waits for it."""
