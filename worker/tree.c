#include "worker/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

enum { MOST_ROUNDS = 1000, MOST_PIDS = 65536 };

struct pids {
    pid_t *pids;
    size_t count;
    size_t capacity;
};

static bool holds(const struct pids *list, pid_t pid)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->pids[i] == pid)
            return true;
    return false;
}

static bool add(struct pids *list, pid_t pid)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        pid_t *grown = capacity <= MOST_PIDS ? realloc(list->pids, capacity * sizeof *grown) : NULL;
        if (grown == NULL)
            return false;
        list->pids = grown;
        list->capacity = capacity;
    }
    list->pids[list->count++] = pid;
    return true;
}

/* State and parent from /proc/PID/stat; '\0' when there is no such process. */
static char look(pid_t pid, pid_t *parent)
{
    char path[48];
    char text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return '\0';
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    const char *behind = strrchr(text, ')');
    char state = '\0';
    int number = 0;
    if (behind == NULL || sscanf(behind + 1, " %c %d", &state, &number) != 2)
        return '\0';
    *parent = (pid_t)number;
    return state;
}

static void add_children_of_thread(pid_t pid, const char *thread, struct pids *list)
{
    char path[320];
    snprintf(path, sizeof path, "/proc/%d/task/%s/children", (int)pid, thread);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    int child;
    while (fscanf(file, "%d", &child) == 1)
        if (!holds(list, child) && !add(list, child))
            break;
    fclose(file);
}

static void add_children(pid_t pid, struct pids *list)
{
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (threads == NULL)
        return;
    const struct dirent *entry;
    while ((entry = readdir(threads)) != NULL)
        if (entry->d_name[0] != '.')
            add_children_of_thread(pid, entry->d_name, list);
    closedir(threads);
}

/* Through a pidfd that is checked to mean a process of this tree: between reading a number and using it, it may have
 * passed on to a stranger. */
static void kill_checked(pid_t pid, pid_t root, const struct pids *tree, int signal_number)
{
    int fd = pidfd_open(pid, 0);
    pid_t parent = 0;
    if (fd < 0)
        return;
    char state = look(pid, &parent);
    if (state != '\0' && state != 'Z' && state != 'X' && (parent == root || holds(tree, parent)))
        pidfd_send_signal(fd, signal_number, NULL, 0);
    close(fd);
}

/* Everything below the members of `tree`, which are killed from `from` on as they are found. */
static void kill_below(pid_t root, struct pids *tree)
{
    size_t done = 0;
    for (int round = 0; round < MOST_ROUNDS; round++) {
        for (size_t i = 0; i < tree->count; i++)
            add_children(tree->pids[i], tree);
        add_children(root, tree);
        if (done == tree->count)
            return;
        for (; done < tree->count; done++)
            kill_checked(tree->pids[done], root, tree, SIGKILL);
    }
}

void ff_tree_kill(pid_t root)
{
    struct pids tree = {NULL, 0, 0};
    bool other = root != getpid();
    if (other)
        kill(root, SIGSTOP); /* a child of ours that nobody else reaps: its number is its own */
    kill_below(root, &tree);
    if (other)
        kill(root, SIGKILL);
    free(tree.pids);
}

void ff_tree_kill_children(bool (*keep)(void *user, pid_t pid), void *user)
{
    struct pids children = {NULL, 0, 0};
    add_children(getpid(), &children);
    for (size_t i = 0; i < children.count; i++) {
        pid_t parent = 0;
        if (!keep(user, children.pids[i]) && look(children.pids[i], &parent) != 'Z' &&
            parent == getpid())
            ff_tree_kill(children.pids[i]);
    }
    free(children.pids);
}
