"""Weight gained within days."""
