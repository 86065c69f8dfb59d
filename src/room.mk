# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later

# What all rooms of src/ have in common. A room sets noinst_LTLIBRARIES or its
# module, and check_PROGRAMS: every one of these is a unit test.

AM_CPPFLAGS = \
	-I$(top_srcdir)/src/compat \
	-I$(top_srcdir)/src/policy \
	-I$(top_srcdir)/src/state \
	-I$(top_srcdir)/src/credentials \
	-I$(top_srcdir)/src/auth \
	-I$(top_srcdir)/src/settings \
	-I$(top_srcdir)/src/dict \
	-I$(top_srcdir)/src/maildrop \
	-I$(top_srcdir)/src/fast-polls \
	-I$(top_srcdir)/src/retention \
	-I$(top_srcdir)/src/plugin \
	-I$(top_srcdir)/src/passdb \
	$(LIBDOVECOT_INCLUDE)

compat_lib = $(top_builddir)/src/compat/libcompat.la
compat_auth_lib = $(top_builddir)/src/compat/libcompat-auth.la
compat_dict_lib = $(top_builddir)/src/compat/libcompat-dict.la
compat_password_lib = $(top_builddir)/src/compat/libcompat-password.la
compat_program_lib = $(top_builddir)/src/compat/libcompat-program.la
compat_storage_lib = $(top_builddir)/src/compat/libcompat-storage.la
policy_lib = $(top_builddir)/src/policy/libpolicy.la
state_lib = $(top_builddir)/src/state/libstate.la
credentials_lib = $(top_builddir)/src/credentials/libcredentials.la
auth_lib = $(top_builddir)/src/auth/libauth.la
maildrop_lib = $(top_builddir)/src/maildrop/libmaildrop.la
fast_polls_lib = $(top_builddir)/src/fast-polls/libfastpolls.la
retention_lib = $(top_builddir)/src/retention/libretention.la
settings_passdb_lib = $(top_builddir)/src/settings/libsettings-passdb.la
settings_passdb_list_lib = $(top_builddir)/src/settings/libsettings-passdb-list.la
settings_lib = $(top_builddir)/src/settings/libsettings.la

# What a module that serves sessions or doveadm is made of, beside its own files.
module_libs = $(settings_lib) $(state_lib) $(policy_lib) $(compat_storage_lib) $(compat_lib)
# The linker takes rooms whole. What a module does not use of them it leaves out
# again, as each function of others that it names is looked up in every session.
module_ldflags = $(AM_LDFLAGS) -module -avoid-version -Wl,--gc-sections

TESTS = $(check_PROGRAMS)
LOG_COMPILER = $(RUN_TEST)

# $(SOURCES) has what this configuration compiles, not the other line's settings.
lint-local:
	@$(SHELL) $(top_srcdir)/build-aux/lint.sh '$(srcdir)' '$(CPPCHECK)' '$(CLANG_TIDY)' '$(CC)' \
		'$(DEFS) $(DEFAULT_INCLUDES) $(INCLUDES) $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(SODIUM_CFLAGS) $(CPPFLAGS)' \
		$(SOURCES)
