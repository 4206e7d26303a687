"""Official tables beside what the project ships: fetched from their publishers or given by the user, checked, kept."""
