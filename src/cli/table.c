/* The commands, in the order in which a newcomer meets them. */
#include "cli/commands.h"

static const struct command table[] = {
	{ .name = "init", .words = "make a new home with its keys and settings", .arguments = "DIR", .positional_min = 1,
	  .positional_max = 1, .options = init_options, .run = init_command,
	  .more = "The people who approve make their keys themselves: comity key new --out FILE --name NAME." },
	{ .name = "serve", .words = "run the node of a home until a signal ends it", .arguments = "", .options = serve_options,
	  .run = serve_command },
	{ .name = "status", .words = "how a node stands", .arguments = "", .options = status_options, .run = status_command },
	{ .name = "request", .words = "drafts, requests, answers, orders", .subcommands = request_commands },
	{ .name = "evidence", .words = "exhibits: add, hand over, fetch", .subcommands = evidence_commands },
	{ .name = "package", .words = "packages for a court", .subcommands = package_commands },
	{ .name = "verify", .words = "check a package, an act, a letter or a proof without a node", .arguments = "PATH", .positional_min = 1,
	  .positional_max = 1, .options = verify_options_table, .run = verify_command,
	  .more = "Exit status: 0 intact, 1 broken (the report names what), 2 it could not be looked at." },
	{ .name = "explain", .words = "any statement, act, letter, proof, register or package in plain words",
	  .arguments = "FILE", .positional_min = 1, .positional_max = 1, .options = explain_options, .run = explain_command },
	{ .name = "treaty", .words = "what states have agreed", .subcommands = treaty_commands },
	{ .name = "register", .words = "who is who: parties, contact points, keys", .subcommands = register_commands },
	{ .name = "letter", .words = "letters by another carrier", .subcommands = letter_commands },
	{ .name = "log", .words = "the transparency log", .subcommands = log_commands },
	{ .name = "witness", .words = "cosign the checkpoints of other logs", .subcommands = witness_commands },
	{ .name = "seal", .words = "seal a file to recipients (age format)", .arguments = "FILE", .positional_min = 1,
	  .positional_max = 1, .options = seal_options, .run = seal_command },
	{ .name = "open", .words = "open a sealed file", .arguments = "FILE", .positional_min = 1, .positional_max = 1,
	  .options = open_options, .run = open_command },
	{ .name = "keygen", .words = "make an identity to open sealed files; prints its recipient", .arguments = "",
	  .options = keygen_options, .run = keygen_command },
	{ .name = "key", .words = "key files of people who approve", .subcommands = key_commands },
	{ .name = "backup", .words = "copy the store of a running node", .arguments = "", .options = backup_options,
	  .run = backup_command },
	{ .name = "restore", .words = "put a backup into a home that is not running", .arguments = "BACKUP", .positional_min = 1,
	  .positional_max = 1, .options = restore_options, .run = restore_command,
	  .more = "The home starts locked: comity log recover unlocks it when nothing newer than the backup is known." },
	{ .name = "doctor", .words = "audit a home or a backup", .arguments = "", .options = doctor_options,
	  .run = doctor_command },
	{ .name = "completion", .words = "completion for a shell", .arguments = "bash", .positional_min = 1, .positional_max = 1,
	  .options = completion_options, .run = completion_command },
	{ .name = "role", .words = "what a running node starts for a role", .arguments = "NAME [self-test]", .positional_min = 1,
	  .positional_max = ARGS_POSITIONAL_MAX, .run = role_command, .hidden = true },
	{ 0 },
};

const struct command *command_table(void)
{
	return table;
}
