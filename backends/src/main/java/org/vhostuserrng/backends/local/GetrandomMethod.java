package org.vhostuserrng.backends.local;

/** The two ways to call getrandom(2). */
public enum GetrandomMethod {
    /** The function that Linux 6.11 and later map into the process (vdso(7)). */
    VDSO("vdso"),
    SYSCALL("syscall");

    private final String name;

    GetrandomMethod(String name) {
        this.name = name;
    }

    /**
     * Returns the method with the name that {@link #toString} returns.
     *
     * @throws IllegalArgumentException if no method has this name
     */
    public static GetrandomMethod of(String name) {
        for (GetrandomMethod method : values()) {
            if (method.name.equals(name)) {
                return method;
            }
        }
        throw new IllegalArgumentException("via=" + name + ": expected vdso or syscall");
    }

    @Override
    public String toString() {
        return name;
    }
}
