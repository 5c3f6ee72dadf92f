"""IDC hosts in containers, to practise on: systemd, sshd, addresses of their own, and power that can be cut."""
