/* The commands' own tables and functions; table.c puts them together. */
#ifndef COMITY_CLI_COMMANDS_H
#define COMITY_CLI_COMMANDS_H

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
int doctor_command(const struct args *a);
int completion_command(const struct args *a);
int role_command(const struct args *a);

extern const struct command request_commands[], evidence_commands[], package_commands[], letter_commands[],
	treaty_commands[], log_commands[], register_commands[], key_commands[];

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
extern const struct option draft_new_options[], approve_options[], review_options[], acknowledge_options[],
	answer_options[], refuse_options[], postpone_options[], unable_options[], order_options[];

#endif
