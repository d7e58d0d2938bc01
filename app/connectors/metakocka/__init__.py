"""Metakocka: ERP. Partners, offers, orders, bills, products and stock; offers are quotes. README.md says what and how."""
