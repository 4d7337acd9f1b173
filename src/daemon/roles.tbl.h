/* Roles of the running node: name, its main, what its system calls may do (process/sandbox.h), words.
 * The parent is not here: it is the process that `comity serve` is. */
ROLE(signer,  signer_main,  SANDBOX_BASE, "signs what it has rebuilt and found approved; unwraps what is sealed to us")
ROLE(keeper,  keeper_main,  SANDBOX_FILES_READ | SANDBOX_FILES_WRITE, "decides: store, log, life of requests")
ROLE(mill,    mill_main,    SANDBOX_THREADS, "hashes, seals and opens bulk data between descriptors")
ROLE(mill2,   mill_main,    SANDBOX_THREADS, "reads again what the first mill wrote")
ROLE(courier, courier_main, SANDBOX_NET_CLIENT | SANDBOX_FILES_READ | SANDBOX_THREADS, "connects to other nodes")
ROLE(door,    door_main,    SANDBOX_NET_SERVER | SANDBOX_FILES_READ, "terminates TLS, parses HTTP, serves tiles")
ROLE(witness, witness_main, SANDBOX_FILES_READ | SANDBOX_FILES_WRITE, "cosigns the checkpoints of other logs, with a key of its own")
#undef ROLE
