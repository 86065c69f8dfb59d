# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later

# P3P_DOVECOT
# Find Dovecot through its dovecot-config, and what we need to know of it:
# dovecot_libdir (where libdovecot.so is), dovecot_line, DOVECOT_2_4, moduledir.
AC_DEFUN([P3P_DOVECOT], [
	AC_REQUIRE([AC_PROG_GREP])
	AC_REQUIRE([AC_PROG_SED])
	AS_CASE([${with_dovecot-yes}], [yes], [
		# Dovecot's macro looks under our own prefix only.
		p3p_prefix=$prefix
		test "x$p3p_prefix" = xNONE && p3p_prefix=$ac_default_prefix
		with_dovecot=
		for p3p_dir in "$p3p_prefix/lib/dovecot" /usr/local/lib/dovecot /usr/lib/dovecot /usr/lib64/dovecot; do
			AS_IF([test -z "$with_dovecot" && test -f "$p3p_dir/dovecot-config"], [with_dovecot=$p3p_dir])
		done
		AS_IF([test -z "$with_dovecot"], [AC_MSG_ERROR([dovecot-config was not found.
Install the development files of Dovecot (Debian package: dovecot-dev), or give
the folder that has the file dovecot-config by --with-dovecot=DIR.])])
	], [no], [AC_MSG_ERROR([this is a module for Dovecot: it cannot be built --without-dovecot])])
	AS_IF([test -f "$with_dovecot/dovecot-config"], [], [
		AC_MSG_ERROR([there is no file dovecot-config in $with_dovecot.
Give the folder that has it by --with-dovecot=DIR, or leave the option out to use
the Dovecot of the system (Debian package: dovecot-dev).])])

	DC_DOVECOT

	# A shell of its own, as the file also sets variables that are ours here.
	dovecot_libdir=`. "$dovecotdir/dovecot-config" && echo "$dovecot_pkglibdir"`
	AC_SUBST([dovecot_libdir])
	# dovecot-config does not name this one, only PREFIX/lib/dovecot
	dovecot_bindir=`AS_ECHO(["$dovecot_libdir"]) | $SED 's|^\(.*\)/lib@<:@^/@:>@*/.*$|\1|'`/bin
	AC_ARG_VAR([DOVECONF], [path of doveconf, which doveadm runs on Dovecot 2.3])
	AS_IF([test -z "$DOVECONF"], [DOVECONF=$dovecot_bindir/doveconf])
	# Dovecot's own macro for this is wrong below another prefix on 2.4.
	AC_ARG_WITH([moduledir],
		[AS_HELP_STRING([--with-moduledir=DIR], [where Dovecot loads modules from (default: as Dovecot was built)])],
		[moduledir=$withval], [moduledir=$dovecot_installed_moduledir])
	AC_SUBST([moduledir])

	_P3P_DOVECOT_IF([/* nothing but the headers */], [], [
		AC_MSG_ERROR([the headers of Dovecot do not compile with '$LIBDOVECOT_INCLUDE', see config.log.
The Debian package that has them is dovecot-dev.])])
	AC_MSG_CHECKING([for the line of Dovecot])
	dovecot_line=none
	_P3P_DOVECOT_IF([_P3P_DOVECOT_AT_LEAST([2, 3, 19])], [dovecot_line=2.3])
	_P3P_DOVECOT_IF([_P3P_DOVECOT_AT_LEAST([2, 4, 0])], [dovecot_line=2.4])
	AC_MSG_RESULT([$dovecot_line])
	AS_IF([test $dovecot_line = none], [AC_MSG_ERROR([this Dovecot is too old: 2.3.19 or newer is needed])])
	AC_SUBST([dovecot_line])
	AM_CONDITIONAL([DOVECOT_2_4], [test $dovecot_line = 2.4])
])

m4_define([_P3P_DOVECOT_AT_LEAST], [#if !DOVECOT_PREREQ($1)
#  error older
#endif])

# _P3P_DOVECOT_IF(SOURCE, [IF-COMPILES], [IF-NOT])
# The program has no confdefs.h: its PACKAGE_NAME is not that of Dovecot's config.h.
AC_DEFUN([_P3P_DOVECOT_IF], [
	p3p_save_CPPFLAGS=$CPPFLAGS
	CPPFLAGS="$CPPFLAGS -DHAVE_CONFIG_H $LIBDOVECOT_INCLUDE"
	AC_COMPILE_IFELSE([AC_LANG_DEFINES_PROVIDED
#include "lib.h"
#include "mail-storage.h"
#include "pop3-common.h"
#include "pop3-client.h"
$1
], [p3p_ok=yes], [p3p_ok=no])
	CPPFLAGS=$p3p_save_CPPFLAGS
	AS_IF([test $p3p_ok = yes], [$2], [$3])
])

# P3P_PKG(VARIABLE, MODULE, DEBIAN-PACKAGE)
AC_DEFUN([P3P_PKG], [
	AC_REQUIRE([PKG_PROG_PKG_CONFIG])
	AS_IF([test -z "$PKG_CONFIG"], [AC_MSG_ERROR([pkg-config was not found (Debian package: pkgconf).])])
	PKG_CHECK_MODULES([$1], [$2], [], [AC_MSG_ERROR([$2 was not found by pkg-config (Debian package: $3).
$$1[]_PKG_ERRORS])])
])

# P3P_SYSTEMD
# Where units are installed, if at all, and the doveadm that they run: that of the
# Dovecot we are built for, which need not be installed here.
AC_DEFUN([P3P_SYSTEMD], [
	AC_REQUIRE([P3P_DOVECOT])
	AC_REQUIRE([PKG_PROG_PKG_CONFIG])
	AC_ARG_WITH([systemdsystemunitdir],
		[AS_HELP_STRING([--with-systemdsystemunitdir=DIR],
			[where units of systemd are installed, or no (default: as pkg-config knows, else no)])],
		[], [with_systemdsystemunitdir=yes])
	AS_CASE([$with_systemdsystemunitdir], [yes], [
		systemdsystemunitdir=`$PKG_CONFIG --variable=systemdsystemunitdir systemd 2>&AS_MESSAGE_LOG_FD`
		AS_IF([test -z "$systemdsystemunitdir"], [systemdsystemunitdir=no])
	], [systemdsystemunitdir=$with_systemdsystemunitdir])
	AC_SUBST([systemdsystemunitdir])
	AM_CONDITIONAL([SYSTEMD], [test "$systemdsystemunitdir" != no])

	AC_ARG_VAR([DOVEADM], [path of doveadm, for the units of systemd])
	AS_IF([test -z "$DOVEADM"], [DOVEADM=$dovecot_bindir/doveadm])
])

# P3P_FLAGS
# Flags of our own go to AM_CFLAGS and AM_LDFLAGS (where newer versions of
# DC_DOVECOT put theirs), never to CFLAGS, which belongs to the user.
AC_DEFUN([P3P_FLAGS], [
	AM_CFLAGS="$AM_CFLAGS -ffunction-sections -fdata-sections"
	AM_CFLAGS="$AM_CFLAGS -Wall -Wextra -Wshadow -Wwrite-strings -Wundef -Wvla -Werror=implicit-function-declaration"
	AM_LDFLAGS="$AM_LDFLAGS $RELRO_LDFLAGS"
	AS_IF([test "$enable_werror" = yes], [AM_CFLAGS="$AM_CFLAGS -Werror"])
	AS_IF([test "$enable_sanitizers" = yes], [
		# memcpy() and the like with NULL and no bytes are everywhere in Dovecot's headers.
		p3p_sanitize="-fsanitize=address,undefined -fno-sanitize=nonnull-attribute"
		AM_CFLAGS="$AM_CFLAGS $p3p_sanitize -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
		AM_LDFLAGS="$AM_LDFLAGS $p3p_sanitize"
		p3p_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS $p3p_sanitize"
		AC_MSG_CHECKING([whether $CC has the sanitizers])
		AC_LINK_IFELSE([AC_LANG_PROGRAM()], [AC_MSG_RESULT([yes])], [
			AC_MSG_RESULT([no])
			AC_MSG_ERROR([$CC cannot link with $p3p_sanitize])])
		CFLAGS=$p3p_save_CFLAGS
	])
	AC_SUBST([AM_CFLAGS])
	AC_SUBST([AM_LDFLAGS])
])

# P3P_RUN_TEST
# DC_DOVECOT has set VALGRIND and a RUN_TEST that differs between its versions.
AC_DEFUN([P3P_RUN_TEST], [
	AS_IF([test "$VALGRIND" = reject || test "$enable_sanitizers" = yes], [VALGRIND=], [
		# It is of no use without the debug symbols of libc.
		AC_MSG_CHECKING([whether valgrind works])
		AS_IF(["$VALGRIND" -q "$SHELL" -c : >&AS_MESSAGE_LOG_FD 2>&1], [AC_MSG_RESULT([yes])],
			[AC_MSG_RESULT([no]); VALGRIND=])
	])
	RUN_TEST='$(SHELL) $(top_builddir)/build-aux/run-test.sh'
	AC_SUBST([RUN_TEST])
])
