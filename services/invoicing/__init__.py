"""The invoicing service: shows, claims, rollups, and exactly one right invoice for each buyer."""
