"""ServiceM8: field service. Companies and jobs are read; quotes are approved and rejected. README.md says what and how."""
