package org.vhostuserrng.backends.local;

import java.io.IOException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.SharedSourceSpec;
import org.vhostuserrng.backends.sys.RepeatedGetrandom;
import org.vhostuserrng.backends.sys.VdsoGetrandom;

/**
 * The source {@code getrandom}: the kernel's generator, called through the vDSO function (Linux 6.11) or the system
 * call, whichever is faster on this host. {@code getrandom,via=vdso} and {@code getrandom,via=syscall} use only one of
 * them. Never blocks, so it is called on the event loop's thread.
 */
public final class GetrandomSourceSpec implements SharedSourceSpec {
    /** The keyword in an expression. */
    public static final String NAME = "getrandom";
    /** Option: the only method to use. */
    public static final String VIA = "via";

    private static final Logger LOG = LoggerFactory.getLogger(GetrandomSourceSpec.class);

    /** The only method to use; null for the faster one for each length. */
    private final GetrandomMethod onlyMethod;
    /** The method to use for each length; null before the first use. */
    private GetrandomMethodTable methods;

    /** Creates a source that uses the faster method for each length. */
    public GetrandomSourceSpec() {
        this(null);
    }

    /** Creates a source that uses only {@code onlyMethod}; null for the faster method for each length. */
    public GetrandomSourceSpec(GetrandomMethod onlyMethod) {
        this.onlyMethod = onlyMethod;
    }

    @Override
    public String toString() {
        return onlyMethod == null ? NAME : NAME + "," + VIA + "=" + onlyMethod;
    }

    /**
     * {@inheritDoc} Measures which method is faster. Does not check for the system call: Linux has it since 3.17, and
     * older kernels cannot run this JVM.
     */
    @Override
    public void probe() throws IOException {
        if (onlyMethod == GetrandomMethod.VDSO && !VdsoGetrandom.isAvailable()) {
            throw new IOException("this kernel has no vDSO function getrandom, which Linux has since 6.11");
        }
        methods();
    }

    @Override
    public double minEntropy() {
        return Byte.SIZE;
    }

    @Override
    public EntropySource open(Runnable onReadable) {
        GetrandomMethodTable table = methods();
        Optional<VdsoGetrandom> vdso = table.uses(GetrandomMethod.VDSO) ? VdsoGetrandom.open() : Optional.empty();
        return vdso.isPresent()
                ? new GetrandomSource(table, vdso.get())
                : new GetrandomSource(GetrandomMethodTable.always(GetrandomMethod.SYSCALL), null);
    }

    @Override
    public String hostDetails() {
        return methods().toString();
    }

    private GetrandomMethodTable methods() {
        if (methods == null) {
            methods = onlyMethod == null ? fasterMethods() : GetrandomMethodTable.always(onlyMethod);
        }
        return methods;
    }

    private static GetrandomMethodTable fasterMethods() {
        Optional<VdsoGetrandom> opened = VdsoGetrandom.open();
        if (opened.isEmpty()) {
            LOG.debug("getrandom: this kernel has no vDSO function, uses the system call");
            return GetrandomMethodTable.always(GetrandomMethod.SYSCALL);
        }
        try (VdsoGetrandom vdso = opened.get();
                RepeatedGetrandom calls = new RepeatedGetrandom(vdso, GetrandomMethodTable.MAX_MEASURED_BYTES)) {
            GetrandomMethodCalibration benchmark =
                    new GetrandomMethodCalibration(System::nanoTime, calls::callVdso, calls::callSyscall);
            GetrandomMethodTable faster = benchmark.run();
            LOG.debug("getrandom: {}", benchmark.report());
            return faster;
        }
    }
}
