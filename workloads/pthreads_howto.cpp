// SPDX-License-Identifier: MIT
//
// The pthreads program of the openMosix HOWTO, chapter "Processes do not migrate", as printed
// there; a using-directive makes it compile today.
//
// Very simple program demonstrating the use of threads.
//
// Command-line argument is P (number of threads).
//
// Each thread writes "hello" message to standard output, with
// no attempt to synchronize. Output will likely be garbled.
//
#include <pthread.h>  // has pthread_ routines
#include <unistd.h>   // has usleep()

#include <cstdlib>  // has exit(), etc.
#include <iostream>

using namespace std;

// It stays as its author wrote it.
// NOLINTBEGIN(cppcoreguidelines-owning-memory,modernize-use-nullptr,readability-identifier-naming)

// declaration for function to be executed by each thread
void* printHello(void* threadArg);

// ---- Main program -------------------------------------------------

int main(int argc, char* argv[]) {
    if (argc < 2) {
        cerr << "Usage: " << argv[0] << " numThreads\n";
        exit(EXIT_FAILURE);
    }
    int P = atoi(argv[1]);

    // Set up IDs for threads (need a separate variable for each
    // since they're shared among threads).
    int* threadIDs = new int[P];
    for (int i = 0; i < P; ++i)
        threadIDs[i] = i;

    // Start P new threads, each with different ID.
    pthread_t* threads = new pthread_t[P];
    for (int i = 0; i < P; ++i)
        pthread_create(&threads[i], NULL, printHello, (void*)&threadIDs[i]);

    // Wait for all threads to complete.
    for (int i = 0; i < P; ++i)
        pthread_join(threads[i], NULL);

    // Clean up and exit.
    delete[] threadIDs;
    delete[] threads;
    cout << "That's all, folks!\n";
    return EXIT_SUCCESS;
}

// ---- Code to be executed by each thread ---------------------------

// pre: *threadArg is an integer "thread ID".
// post: "hello" message printed to standard output.
// return value is null pointer.
void* printHello(void* threadArg) {
    int* myID = (int*)threadArg;
    cout << "hello, world, ";
    // pointless pause, included to make the effects of
    // synchronization (or lack thereof) more obvious
    usleep(10);
    cout << "from thread " << *myID << endl;
    pthread_exit((void*)NULL);
}

// NOLINTEND(cppcoreguidelines-owning-memory,modernize-use-nullptr,readability-identifier-naming)
