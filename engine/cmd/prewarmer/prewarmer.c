/*
 * Runs ahead of the sandbox process: PROGRAM ARG0 [ARGS...].
 *
 * Growing a descriptor table that several threads share costs the kernel a grace period of tens of milliseconds. Here there
 * is one thread still, so the table grows to 256 slots for free, and exec keeps it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
    if (argc < 3) {
        fputs("usage: gvisor-sentry-prewarmer PROGRAM ARG0 [ARGS...]\n", stderr);
        return 2;
    }
    int anything = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (anything >= 0) {
        /* A slot that is taken already proves that the table is large enough. */
        if (fcntl(255, F_GETFD) < 0 && dup2(anything, 255) == 255) {
            close(255);
        }
        close(anything);
    }
    execve(argv[1], argv + 2, environ);
    perror("gvisor-sentry-prewarmer: exec");
    return 127;
}
