// Sends to a peer that has closed until that fails; with an argument, in a thread.
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static int listener;
static struct sockaddr_in address;
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

__attribute__((noinline)) static int reply(int fd) {
    ssize_t sent = 0;
    while (sent >= 0) {
        sent = send(fd, "hello", 5, MSG_NOSIGNAL); // the call
        __asm__ volatile("" ::: "memory");
    }
    return errno;
}

static void *run(void *argument) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    pthread_mutex_lock(&opening); // so that each accepts its own
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return argument;
    close(accept(listener, 0, 0));
    pthread_mutex_unlock(&opening);
    int error = reply(fd); // its caller
    puts(strerror(error));
    close(fd);
    return argument;
}

int main(int count, char **words) {
    socklen_t length = sizeof address;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&address, &length);
    if (count == 1)
        return run(words) == 0;
    pthread_t threads[3];
    for (int number = 0; number < 3; number++)
        pthread_create(&threads[number], 0, run, 0);
    for (int number = 0; number < 3; number++)
        pthread_join(threads[number], 0);
    return 0;
}
