from novita_sandbox.code_interpreter import Sandbox
import time

sandbox = Sandbox.create()
print('Sandbox created', sandbox.sandbox_id)

metrics = sandbox.get_metrics()

# You can also get the metrics by sandbox ID:
# metrics = Sandbox.get_metrics(sbx.sandbox_id)

while len(metrics) <= 1:
    print('Waiting for metrics...')
    time.sleep(1)
    metrics = sandbox.get_metrics()

print('Sandbox metrics', metrics)

# Example output:
# Sandbox metrics [SandboxMetrics(timestamp=datetime.datetime(2025, 6, 30, 6, 51, 13, 169230, tzinfo=tzutc()), cpu_used_pct=17.87, cpu_count=2, mem_used_mib=245, mem_total_mib=987), SandboxMetrics(timestamp=datetime.datetime(2025, 6, 30, 6, 51, 18, 165258, tzinfo=tzutc()), cpu_used_pct=0.4, cpu_count=2, mem_used_mib=246, mem_total_mib=987)]

sandbox.kill()
