/* Backups of the key store: apart from those of comity.db, sealed to people who are not this node, and gone
 * after KEY_BACKUP_DAYS (design.md part 10), so that what is erased can be read by nobody from a day on that
 * the erasure names. */
#ifndef COMITY_EXCHANGE_KEY_BACKUP_H
#define COMITY_EXCHANGE_KEY_BACKUP_H

#include "exchange/node.h"
#include "seal/age.h"

/* "keys-2026-11-25T02-50-00-000Z.age" */
#define KEY_BACKUP_NAME_LEN 33
/* The time in such a name; false for any other name. */
bool key_backup_time(struct bytes name, int64_t *ret_ms);

/* Recipients of the setting key_backup_to and, when there are any, those given instead (list of texts). */
bool key_backup_recipients(const struct node *n, const json_t *given, struct age_recipient ret[static AGE_STANZAS_MAX], size_t *ret_count,
			   struct err *e) MUST_USE;
/* Writes HOME/backup/<name>; remembers when, before the file has its name. Outside a transaction. */
bool key_backup_make(struct node *n, const struct age_recipient *to, size_t count, char ret_name[static KEY_BACKUP_NAME_LEN + 1],
		     struct err *e) MUST_USE;
/* A backup is about to be there: cell is "key-backup" or "backup". A transaction of its own. */
bool key_backup_remember(struct node *n, const char *cell, const char *name, int64_t when, struct err *e) MUST_USE;
/* Deletes key backups older than KEY_BACKUP_DAYS, and half-written ones, from a folder; names those that went. Backups of
 * comity.db (folders called by their time) too, where `folders` says that they are the node's. */
bool key_backup_sweep(int dir_fd, bool folders, int64_t now_ms, json_t *deleted, struct err *e) MUST_USE;
/* HOME/backup. */
bool key_backup_sweep_home(struct node *n, json_t *deleted, struct err *e) MUST_USE;

/* Copies of the keys that lie open in the home (a folder that restore set aside, a backup of an older program):
 * REASON_WRONG_STATE names the first. */
bool key_copies_none(struct node *n, struct err *e) MUST_USE;
/* At open, while the home can still be listed. */
bool key_copies_look(struct node *n, struct err *e) MUST_USE;

#endif
