"""The CRM's own rooms: tables, accounts, pages and seed data. None of them knows the plugin."""
