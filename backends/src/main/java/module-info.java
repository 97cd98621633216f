/** Entropy sources and rate limiters. */
module org.vhostuserrng.backends {
    requires org.slf4j;
    requires org.jctools.core;
    requires org.vhostuserrng.libc;

    exports org.vhostuserrng.backends.expression;
    exports org.vhostuserrng.backends.limiter;
    exports org.vhostuserrng.backends.source;
}
