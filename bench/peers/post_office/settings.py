"""Django's settings; the database and the mail server come from the environment."""

import os

SECRET_KEY = "nothing here is secret"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.contenttypes", "post_office"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["BENCH_DATABASE_HOST"],
        "NAME": os.environ["BENCH_DATABASE"],
        "USER": os.environ["BENCH_DATABASE_USER"],
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
EMAIL_BACKEND = "post_office.EmailBackend"
EMAIL_HOST = "127.0.0.1"
EMAIL_PORT = int(os.environ["BENCH_SMTP_PORT"])
POST_OFFICE = {
    "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
    "BATCH_SIZE": int(os.environ["BENCH_BATCH"]),
    "THREADS_PER_PROCESS": int(os.environ["BENCH_THREADS"]),
    "BATCH_DELIVERY_TIMEOUT": 3600,
    "MESSAGE_ID_ENABLED": True,
    "LOG_LEVEL": 1,
}
TEMPLATES = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True},
    {
        "BACKEND": "post_office.template.backends.post_office.PostOfficeTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": []},
    },
]
