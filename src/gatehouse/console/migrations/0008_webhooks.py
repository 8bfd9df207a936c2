from django.db import migrations, models

import gatehouse.kernel.clock


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0007_two_people'),
    ]

    operations = [
        migrations.CreateModel(
            name='Call',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(max_length=500)),
                ('agency', models.CharField(max_length=128)),
                ('kind', models.CharField(max_length=32)),
                ('subject', models.CharField(max_length=128)),
                ('submission', models.CharField(blank=True, max_length=128)),
                ('body', models.TextField(blank=True)),
                ('tries', models.IntegerField(default=0)),
                ('next_at', models.DateTimeField(default=gatehouse.kernel.clock.now)),
                ('done_at', models.DateTimeField(null=True)),
                ('at', models.DateTimeField(default=gatehouse.kernel.clock.now)),
            ],
            options={'constraints': [models.UniqueConstraint(fields=('address', 'agency', 'kind', 'subject'), name='told_once')]},
        ),
    ]
