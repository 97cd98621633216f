package org.vhostuserrng.transport;

/** A virtqueue that cannot be started yet: the {@link QueueMemory} knows which translation is missing. */
public final class MissingTranslationException extends Exception {
    private static final long serialVersionUID = 1L;

    public MissingTranslationException(long address) {
        super("no translation of " + Long.toHexString(address));
    }
}
