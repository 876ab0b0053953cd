"""Apache Superset as the tests start it. What is below SUPERSET_HOME is one test's own."""

import os

HOME = os.environ["SUPERSET_HOME"]

SECRET_KEY = "signs nothing but what the tests ask for"
SQLALCHEMY_DATABASE_URI = f"sqlite:///{HOME}/metadata.db"
DATA_CACHE_CONFIG = {
    "CACHE_TYPE": "FileSystemCache",
    "CACHE_DIR": f"{HOME}/cache",
    "CACHE_DEFAULT_TIMEOUT": 3600,
}
TALISMAN_ENABLED = False  # which insists on HTTPS
if "CSRF" in os.environ:  # as in many an installation: no request that changes anything is taken without a CSRF token
    WTF_CSRF_EXEMPT_LIST = []
