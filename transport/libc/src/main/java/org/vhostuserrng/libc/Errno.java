package org.vhostuserrng.libc;

/**
 * Error numbers that this program handles, from Linux's generic {@code errno.h}. They are the same on all 64-bit
 * architectures.
 */
public final class Errno {
    public static final int ENOENT = 2;
    public static final int EINTR = 4;
    public static final int EAGAIN = 11;
    public static final int EPERM = 1;
    public static final int ENOMEM = 12;
    public static final int EACCES = 13;
    public static final int ENOTDIR = 20;
    public static final int EFAULT = 14;
    public static final int EINVAL = 22;
    public static final int ELOOP = 40;
    public static final int EEXIST = 17;
    public static final int ENOSPC = 28;
    public static final int ENOTSUP = 95;
    public static final int ENOTSOCK = 88;
    public static final int ECONNABORTED = 103;
    public static final int ECONNREFUSED = 111;

    private Errno() {}
}
