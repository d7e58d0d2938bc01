"""The database and its three roles, for the embedded Postgres and, as documentation, for any other.

- `crosswalk_owner` owns the database and its tables, and migrates them.
- `crosswalk_app` is the login of web and worker. It owns nothing, so row-level security holds for it.
- `crosswalk_system` cannot log in. The app steps into it (SET ROLE) to list what is due across organizations, and
  inherits nothing from it otherwise.
"""


def role_statements(*, owner_password: str, app_password: str, database: str = "crosswalk") -> str:
    """A script for psql that can be run again; the passwords must be free of quotes.

    Membership without inheritance is said by the grant from Postgres 16 on, and by the role on Postgres 15.
    """
    return f"""
{_role("crosswalk_owner", f"LOGIN NOSUPERUSER CREATEROLE NOBYPASSRLS PASSWORD '{owner_password}'")}
{_role("crosswalk_app", f"LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOBYPASSRLS NOINHERIT PASSWORD '{app_password}'")}
{_role("crosswalk_system", "NOLOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOBYPASSRLS")}
SELECT current_setting('server_version_num')::int >= 160000 AS grants_know_inheritance \\gset
\\if :grants_know_inheritance
GRANT crosswalk_system TO crosswalk_app WITH INHERIT FALSE, SET TRUE;
GRANT crosswalk_app, crosswalk_system TO crosswalk_owner WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
\\else
GRANT crosswalk_system TO crosswalk_app;
\\endif
SELECT 'CREATE DATABASE {database} OWNER crosswalk_owner' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}') \\gexec
REVOKE ALL ON DATABASE {database} FROM PUBLIC;
GRANT CONNECT ON DATABASE {database} TO crosswalk_app;
"""


def _role(name: str, attributes: str) -> str:
    missing = f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}')"
    return f"SELECT 'CREATE ROLE {name}' WHERE {missing} \\gexec\nALTER ROLE {name} {attributes};"
