/* The running node: `comity serve`. */
#ifndef COMITY_DAEMON_SERVE_H
#define COMITY_DAEMON_SERVE_H

/* Runs the node of this home until SIGTERM or SIGINT. Returns the exit status; what failed is told on standard
 * error. While it runs, HOME/run/pid holds its number (and is locked), HOME/run/addresses the real addresses
 * ("peer 127.0.0.1:41001", "public ...", one a line), HOME/run/comity.sock is the local socket. */
int serve_run(const char *home);

#endif
