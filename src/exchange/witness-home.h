/* The folder of a witness, HOME/witness or its own: witness.key (a key that does nothing else) and witness.pub, state.db (what it has
 * cosigned), logs (what it watches). Key and state belong together for ever: a key whose state is lost is not used
 * again, because nobody could say any more what it has signed (design.md part 10). */
#ifndef COMITY_EXCHANGE_WITNESS_HOME_H
#define COMITY_EXCHANGE_WITNESS_HOME_H

#include "log/note.h"
#include "store/store.h"

#define WITNESS_FOLDER "witness"
#define WITNESS_KEY_FILE "witness.key"
#define WITNESS_LOGS_FILE "logs"
#define WITNESS_PUBLIC_FILE "witness.pub" /* the verifier key, a line */

/* Makes the folder, which may be there, a key and an empty state, neither of which may be. */
bool witness_home_make(int home_fd, const char *name, struct note_key *ret, struct err *e) MUST_USE;
/* The same where there were others: they get their names with the time behind them, and are kept. ERR_CONFLICT while a
 * witness runs here. */
bool witness_home_renew(int home_fd, const char *name, struct note_key *ret, struct err *e) MUST_USE;
/* The key that the folder says it has, without a look at key or state: also while the witness runs. */
bool witness_home_public(int home_fd, struct note_key *ret, struct err *e) MUST_USE;
/* Opens both, or says in one sentence why this witness may not sign and what to do. dir_fd: the folder itself. */
bool witness_home_open(int dir_fd, struct sign_key **ret_key, struct note_key *ret_self, struct store **ret, struct err *e) MUST_USE;

#endif
