/* The commands' own tables and functions; table.c puts them together. */
#ifndef COMITY_CLI_COMMANDS_H
#define COMITY_CLI_COMMANDS_H

#include "base/json.h"
#include "cli/args.h"

/* In a home: it was restored from a backup, and its signer is locked until log recover. */
#define RESTORED_MARK "keys/restored"

extern const struct option init_options[], serve_options[], status_options[], verify_options_table[], explain_options[],
	seal_options[], open_options[], keygen_options[], backup_options[], restore_options[], doctor_options[],
	completion_options[];

int init_command(const struct args *a);
int serve_command(const struct args *a);
int status_command(const struct args *a);
int verify_command(const struct args *a);
int explain_command(const struct args *a);
int seal_command(const struct args *a);
int open_command(const struct args *a);
int keygen_command(const struct args *a);
int backup_command(const struct args *a);
int restore_command(const struct args *a);
extern const struct option log_audit_options[];
int log_audit_command(const struct args *a);
/* comity backup --keys; and what both backups print. */
int key_backup_command(const struct args *a);
void backup_print(const json_t *v, struct buf *out);
int doctor_command(const struct args *a);
int completion_command(const struct args *a);
int retire_command(const struct args *a);
extern const struct option retire_options[];
int role_command(const struct args *a);

extern const struct command request_commands[], evidence_commands[], package_commands[], letter_commands[],
	treaty_commands[], log_commands[], register_commands[], key_commands[];

/* Parts of the group `log`, for outsiders. */
int monitor_command(const struct args *a);
int statistics_command(const struct args *a);
int mirror_command(const struct args *a);
extern const struct option monitor_options_table[], statistics_options_table[], mirror_options_table[];

/* cmd-recover.c */
int recover_command(const struct args *a);
extern const struct option recover_options[];

/* cmd-witness.c */
extern const struct command witness_commands[];

/* Parts of the group `request`. */
int draft_new_command(const struct args *a);
int approve_command(const struct args *a);
int review_command(const struct args *a);
int acknowledge_command(const struct args *a);
int accept_command(const struct args *a);
int refuse_command(const struct args *a);
int postpone_command(const struct args *a);
int inform_command(const struct args *a);
int redirect_command(const struct args *a);
int unable_command(const struct args *a);
int withdraw_command(const struct args *a);
int order_command(const struct args *a);
int erase_command(const struct args *a);
extern const struct option draft_new_options[], approve_options[], review_options[], acknowledge_options[],
	answer_options[], refuse_options[], postpone_options[], unable_options[], order_options[], erase_options[];

/* cmd-register-policy.c */
int register_policy_command(const struct args *a);
extern const struct option register_policy_options[];
int register_show_command(const struct args *a);

#endif
