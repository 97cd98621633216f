package org.vhostuserrng.cli.doctor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.vhostuserrng.cli.doctor.HostCommands.Output;
import org.vhostuserrng.cli.doctor.SourceCheck.SourceProbe;

/** Chooses the checks for a request, and runs them. */
final class HostDoctor {
    static final String DEFAULT_CONFIG = "/etc/vhost-user-rng/vhost-user-rng.conf";
    static final String DEFAULT_CONTROL_SOCKET = "/run/vhost-user-rng/control";

    private static final String PACKAGE_USER = "vhost-user-rng";

    private final HostFiles files;
    private final HostCommands commands;
    private final Function<String, ControlQuery> controlSockets;
    private final SourceProbe sourceProbe;
    private final HostProcesses processes;
    private final ListeningSockets listening;

    /**
     * Creates an instance, which examines the processes that are running at this time.
     *
     * @param controlSockets returns a client of the control socket with a path
     */
    HostDoctor(
            HostFiles files,
            HostCommands commands,
            Function<String, ControlQuery> controlSockets,
            SourceProbe sourceProbe) {
        this.files = files;
        this.commands = commands;
        this.controlSockets = controlSockets;
        this.sourceProbe = sourceProbe;
        processes = new HostProcesses(files);
        listening = new ListeningSockets(files, processes.all());
    }

    /** Returns a user with its groups; empty if there is none. */
    static Optional<UserIds> user(String name, HostCommands commands) throws InterruptedException {
        Optional<String> uid = number(commands.run("id", "-u", "--", name));
        Optional<Output> groups = commands.run("id", "-G", "--", name).filter(Output::succeeded);
        if (uid.isEmpty() || groups.isEmpty()) {
            return Optional.empty();
        }
        Set<Long> gids = Arrays.stream(groups.get().stdout().strip().split(" ", -1))
                .filter(gid -> gid.matches("[0-9]{1,10}"))
                .map(Long::valueOf)
                .collect(Collectors.toCollection(LinkedHashSet::new));
        return Optional.of(new UserIds(name, Long.parseLong(uid.get()), gids));
    }

    private static Optional<String> number(Optional<Output> output) {
        return output.filter(Output::succeeded)
                .map(succeeded -> succeeded.stdout().strip())
                .filter(text -> text.matches("[0-9]{1,10}"));
    }

    List<CheckResult> examine(DoctorRequest request) throws InterruptedException {
        List<HostCheck> checks = new ArrayList<>();
        DaemonConfiguration configuration = DaemonConfiguration.NONE;
        Optional<String> file = configFile(request);
        if (file.isPresent()) {
            ConfigurationCheck check = ConfigurationCheck.of(request.program(), file.get(), commands);
            configuration = check.configuration();
            checks.add(check);
        }
        List<DaemonSocket> sockets = sockets(request, configuration);
        Map<Integer, HostProcess> vmms = new LinkedHashMap<>();
        sockets.forEach(socket -> addSocketChecks(socket, request, vmms, checks));
        addDaemonChecks(request, configuration, sockets, checks);
        List<HostProcess> confined = new ArrayList<>(vmms.values());
        processes.all().stream().filter(HostProcess::isDaemon).forEach(confined::add);
        checks.add(new ConfinementCheck(files, confined));
        checks.add(new KernelCheck(files));
        checks.add(new QemuVersionCheck(!configuration.vfioUserSockets().isEmpty(), commands));
        List<CheckResult> results = new ArrayList<>();
        for (HostCheck check : checks) {
            results.addAll(check.run());
        }
        return results;
    }

    private Optional<String> configFile(DoctorRequest request) {
        boolean byDefault = request.socket().isEmpty() && files.exists(DEFAULT_CONFIG);
        return request.config().or(() -> byDefault ? Optional.of(DEFAULT_CONFIG) : Optional.empty());
    }

    private static List<DaemonSocket> sockets(DoctorRequest request, DaemonConfiguration configuration) {
        Set<String> paths = new LinkedHashSet<>();
        request.socket().ifPresent(paths::add);
        if (paths.isEmpty()) {
            paths.addAll(configuration.sockets());
        }
        return paths.stream().map(DaemonSocket::new).toList();
    }

    private void addSocketChecks(
            DaemonSocket socket, DoctorRequest request, Map<Integer, HostProcess> vmms, List<HostCheck> checks) {
        List<HostProcess> ofSocket = GuestMemoryCheck.vmms(socket, files, processes);
        ofSocket.forEach(vmm -> vmms.put(vmm.pid(), vmm));
        checks.add(new SocketCheck(socket, files, processes, listening));
        checks.add(new SocketAccessCheck(socket, users(request, ofSocket), files));
        checks.add(new GuestMemoryCheck(socket, ofSocket));
    }

    /** Returns the user of the request; otherwise the users of the VMs that have a device on the socket. */
    private List<UserIds> users(DoctorRequest request, List<HostProcess> vmms) {
        return request.user().isPresent()
                ? List.of(request.user().get())
                : vmms.stream()
                        .flatMap(vmm -> processes.user(vmm.pid()).stream())
                        .toList();
    }

    private void addDaemonChecks(
            DoctorRequest request,
            DaemonConfiguration configuration,
            List<DaemonSocket> sockets,
            List<HostCheck> checks)
            throws InterruptedException {
        Optional<HostProcess> daemon = sockets.stream()
                .flatMap(socket -> socket.daemon(listening, processes).stream())
                .findFirst();
        DaemonHealthCheck health = controlSocket(request, configuration)
                .map(path -> DaemonHealthCheck.ask(path, controlSockets.apply(path)))
                .orElseGet(DaemonHealthCheck::unavailable);
        int guests = Math.max(1, Math.max(health.guestCount(), configuration.guestCount()));
        checks.add(health);
        checks.add(new SessionSurvivalCheck(health.health(), daemon, processes, commands));
        checks.add(new LimitCheck(guests, daemon, files));
        checks.add(new SourceCheck(health.sources(), configuration.sources(), daemonUser(daemon), files, sourceProbe));
    }

    private Optional<String> controlSocket(DoctorRequest request, DaemonConfiguration configuration) {
        boolean byDefault =
                request.socket().isEmpty() && request.config().isEmpty() && files.exists(DEFAULT_CONTROL_SOCKET);
        return request.controlSocket()
                .or(configuration::controlSocket)
                .or(() -> byDefault ? Optional.of(DEFAULT_CONTROL_SOCKET) : Optional.empty());
    }

    private Optional<UserIds> daemonUser(Optional<HostProcess> daemon) throws InterruptedException {
        return daemon.isPresent() ? processes.user(daemon.get().pid()) : user(PACKAGE_USER, commands);
    }
}
