# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154
# The private Dovecot of the demo. Sourced; everything is in the folder $dir.

# Where the folder of a running demo is noted.
note=/run/dovecot-pop3-policy-demo
# The owner of the mail: a number that no account has.
mail_uid=23110
quota="50msg/day 20M/month"
# Of the user leaver only.
keep_downloaded=14d
expire_action="move Expired"

free_port() {
	python3 - <<-'EOF'
		import socket
		for port in range(23110, 23200):
		    with socket.socket() as probe:
		        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		        try:
		            probe.bind(("127.0.0.1", port))
		        except OSError:
		            continue
		        print(port)
		        break
	EOF
}

conf_common() {
	cat <<-EOF
		base_dir = $dir/run
		state_dir = $dir/state
		log_path = $dir/dovecot.log
		protocols = pop3
		listen = 127.0.0.1
		ssl = no
		service pop3-login {
		  inet_listener pop3 {
		    port = $port
		  }
		  inet_listener pop3s {
		    port = 0
		  }
		}
		service auth-worker {
		  user = dovecot
		}
		auth_cache_size = 1M
	EOF
}

# Users, and what they have of their own.
write_users() {
	for user in demo keeper leaver; do
		fields=
		[ $user != leaver ] || fields="userdb_pop3_policy_keep_downloaded=$keep_downloaded"
		echo "$user::$mail_uid:$mail_uid::$dir/home/$user::$fields"
	done > "$dir/users"
}

conf_23() {
	conf_common
	cat <<-EOF
		disable_plaintext_auth = no
		mail_location = maildir:~/Maildir
		passdb {
		  driver = json
		  args = path=$dir/credentials/users.json
		}
		passdb {
		  driver = static
		  args = password=demo
		}
		userdb {
		  driver = passwd-file
		  args = username_format=%u $dir/users
		}
		mail_plugins = \$mail_plugins pop3_policy
		plugin {
		  pop3_policy_quota = $quota
		  pop3_policy_expire_action = $expire_action
		}
	EOF
}

conf_24() {
	echo "dovecot_config_version = $1"
	echo "dovecot_storage_version = $1"
	conf_common
	cat <<-EOF
		auth_allow_cleartext = yes
		mail_driver = maildir
		mail_path = ~/Maildir
		passdb json {
		  path = $dir/credentials/users.json
		}
		passdb static {
		  password = demo
		}
		userdb passwd-file {
		  passwd_file_path = $dir/users
		}
		mail_plugins {
		  pop3_policy = yes
		}
		pop3_policy_quota = $quota
		pop3_policy_expire_action = $expire_action
	EOF
}

write_conf() {
	version=$(dovecot --version | sed 's/[^0-9.].*//')
	case $version in
	2.3.*) conf_23 ;;
	*) conf_24 "$version" ;;
	esac > "$dir/dovecot.conf"
	write_users
}

# Ends the server of the demo that is noted, if there is one, and removes its folder.
stop_demo() {
	[ -s "$note" ] || return 1
	old=$(cat "$note")
	pid=$(cat "$old/run/master.pid" 2> /dev/null || true)
	if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2> /dev/null)" = dovecot ]; then
		kill "$pid"
		tries=0
		while kill -0 "$pid" 2> /dev/null && [ "$tries" -lt 100 ]; do
			sleep 0.1
			tries=$((tries + 1))
		done
	fi
	rm -rf "$old"
	rm -f "$note"
}
