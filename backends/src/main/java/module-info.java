/** Sources of randomness and the limiter in front of them. */
module org.vhostuserrng.backends {
    requires org.slf4j;
    requires org.jctools.core;

    exports org.vhostuserrng.backends;
}
