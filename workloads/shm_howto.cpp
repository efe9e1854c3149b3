// SPDX-License-Identifier: MIT
//
// The shared memory program of the openMosix HOWTO, chapter "Processes do not migrate": only the
// three assignments that it leaves to the reader are filled in. It does not attach the segment, and
// it does not remove it: whoever runs it does.
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/types.h>

int main() {
    key_t key;  /* key to be passed to shmget() */
    int shmflg; /* shmflg to be passed to shmget() */
    int shmid;  /* return value from shmget() */
    int size;   /* size to be passed to shmget() */

    key = 0x6d6f7372;
    size = 65536;
    shmflg = IPC_CREAT | 0600;

    if ((shmid = shmget(key, size, shmflg)) == -1) {
        perror("shmget: shmget failed");
        exit(1);
    } else {
        (void)fprintf(stderr, "shmget: shmget returned %d\n", shmid);
        exit(0);
    }
}
