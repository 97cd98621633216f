package org.vhostuserrng.transport.vfiouser.protocol;

/** A text is not JSON, or exceeds a limit of {@link JsonParser}. The message names the position. */
final class InvalidJsonException extends Exception {
    private static final long serialVersionUID = 1L;

    InvalidJsonException(String message) {
        super(message);
    }
}
