/* The running node: `comity serve`. */
#ifndef COMITY_DAEMON_SERVE_H
#define COMITY_DAEMON_SERVE_H

/* Runs the node of this home until SIGTERM or SIGINT. Returns the exit status; what failed is told on standard
 * error. While it runs, HOME/run/pid holds its number (and is locked), HOME/run/addresses the real addresses
 * ("peer 127.0.0.1:41001", "public ...", one a line), HOME/run/comity.sock is the local socket. */
int serve_run(const char *home);
/* The same for a witness alone: its folder has comity.conf, witness/ and, unless public_plain, keys/tls.*. There is no
 * local socket; HOME/run/addresses has the public line alone. */
int serve_witness_run(const char *folder);

#endif
