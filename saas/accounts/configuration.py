"""What sign-in is set to, in one place: imported into the settings so that each choice stands beside its reason."""

from saas.env import Zone, env

LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
AUTHENTICATION_BACKENDS = ["saas.accounts.backends.AccountBackend"]
SESSION_ENGINE = "saas.accounts.sessions"
CSRF_FAILURE_VIEW = "saas.core.middleware.csrf_failure"

# Argon2id for new passwords; PBKDF2 stays readable so that imported hashes work once and are then renewed.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "saas.accounts.passwords.LengthValidator", "OPTIONS": {"min_length": 10}},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "saas.accounts.passwords.VarietyValidator"},
]

# GB/T 22239-2019 level 3: lock-out and time-out.
LOCK_AFTER_FAILURES = 5
LOCK_MINUTES = 15
IDLE_MINUTES = 30
SIGN_IN_TRIES_PER_MINUTE = 30
PASSKEY_TRIES_PER_MINUTE = 20

# Everybody who enters these zones shows two factors, whatever the role; administrators do so everywhere.
SECOND_FACTOR_ZONES = (Zone.EXTRANET, Zone.MANAGEMENT)

ACCOUNT_ADAPTER = "saas.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_LOGIN_TIMEOUT = 600
ACCOUNT_USER_DISPLAY = "saas.accounts.adapters.display_name"
ACCOUNT_FORMS = {
    "login": "saas.accounts.forms.SignInForm",
    "reauthenticate": "saas.accounts.forms.ReauthenticatePasswordForm",
}
# Throttling is ours (saas.accounts.throttle): one statement a try, and failures are kept with the account.
ACCOUNT_RATE_LIMITS = False

MFA_ADAPTER = "saas.accounts.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1
MFA_TOTP_ISSUER = "云署"
MFA_RATE_LIMITS = False
MFA_WEBAUTHN_USER_VERIFICATION = "required"
# fido2 accepts http only from localhost names, which browsers treat as secure; elsewhere https is required.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = env.public_scheme == "http"
MFA_FORMS = {
    "authenticate": "saas.accounts.forms.SecondFactorForm",
    "reauthenticate": "saas.accounts.forms.ReauthenticateCodeForm",
    "activate_totp": "saas.accounts.forms.AuthenticatorAppForm",
    "login_webauthn": "saas.accounts.forms.PasskeySignInForm",
    "authenticate_webauthn": "saas.accounts.forms.PasskeySecondForm",
    "reauthenticate_webauthn": "saas.accounts.forms.PasskeyProofForm",
    "add_webauthn": "saas.accounts.forms.PasskeyForm",
    "edit_webauthn": "saas.accounts.forms.PasskeyNameForm",
}

USERSESSIONS_TRACK_ACTIVITY = False
